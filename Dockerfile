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
# Whether the process serves; whether it can do its work, and why not, is at /ready. A command that ends serves nothing.
HEALTHCHECK --interval=10s --timeout=5s --start-period=2m --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.HOPPER_PORT||8080)+'/healthcheck').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
ENTRYPOINT ["node", "cli/dist/main.js"]
CMD ["start"]
