# One image for every process: `hopper start | ingest | aggregator | api | migrate | …`.
FROM node:24-bookworm-slim AS build
WORKDIR /hopper
COPY . .
RUN npm ci --no-fund --no-audit && node scripts/build.mjs && npm prune --omit=dev --no-fund --no-audit && rm -rf e2e bench .build

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /hopper
COPY --from=build /hopper /hopper
# The only writable directory: the data of `start`, the spool of `ingest`. Everything else may be read-only.
RUN mkdir -p /var/lib/hopper && chown node:node /var/lib/hopper
USER node
ENV HOPPER_HOST=0.0.0.0 HOPPER_DATA=/var/lib/hopper
VOLUME /var/lib/hopper
EXPOSE 8080
ENTRYPOINT ["node", "cli/dist/main.js"]
CMD ["start"]
