/**
 * Stands for Node's `crypto` in the library. bcryptjs imports it for runtimes without the Web Crypto API, which is asked
 * first (its index.js, `randomBytes`); Workers without `nodejs_compat` have no such module.
 */
// biome-ignore lint/style/noDefaultExport: bcryptjs imports the default export.
export default undefined;
