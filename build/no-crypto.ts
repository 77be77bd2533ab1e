/**
 * Stands for Node's `crypto` in the library. bcryptjs imports it for runtimes without the Web Crypto API, which is asked
 * first (its index.js, `randomBytes`); Workers without `nodejs_compat` have no such module.
 */
export default undefined;
