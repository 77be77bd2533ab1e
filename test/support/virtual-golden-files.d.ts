declare module 'virtual:golden-files' {
  const files: Readonly<Record<string, string>>;
  // biome-ignore lint/style/noDefaultExport: a virtual module of data has nothing else
  export default files;
}
