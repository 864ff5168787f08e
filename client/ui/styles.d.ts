// What the bundler gives for imports that are not TypeScript.
declare module '*.css';
declare module '*?worker&url' {
  const url: string;
  export default url;
}
