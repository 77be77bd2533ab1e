// biome-ignore lint/style/noDefaultExport: Workers want one
export default { fetch: () => new Response('hi') };
