/** Two organizations that must know nothing of each other, the first with two apps. */
export const keys = {
  admin: 'ha_acme_0123456789abcdef',
  shopWrite: 'hw_shop_0123456789abcdef',
  shopRead: 'hr_shop_0123456789abcdef',
  blogWrite: 'hw_blog_0123456789abcdef',
  blogRead: 'hr_blog_0123456789abcdef',
  otherAdmin: 'ha_other_0123456789abcdef',
  foreignWrite: 'hw_foreign_0123456789abcdef',
  foreignRead: 'hr_foreign_0123456789abcdef',
} as const

export const provision = {
  organizations: [
    {
      id: 'acme',
      name: 'Acme',
      admin_key: keys.admin,
      apps: [
        { id: 'shop', name: 'Shop', timezone: 'UTC', write_key: keys.shopWrite, read_key: keys.shopRead },
        { id: 'blog', name: 'Blog', timezone: 'UTC', write_key: keys.blogWrite, read_key: keys.blogRead },
      ],
    },
    {
      id: 'other',
      name: 'Other',
      admin_key: keys.otherAdmin,
      apps: [
        { id: 'foreign', name: 'Foreign', timezone: 'UTC', write_key: keys.foreignWrite, read_key: keys.foreignRead },
      ],
    },
  ],
}
