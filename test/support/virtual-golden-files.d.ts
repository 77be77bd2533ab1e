declare module 'virtual:golden-files' {
  const files: Readonly<Record<string, string>>;
  export default files;
}
