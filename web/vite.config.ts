import { svelte } from "@sveltejs/vite-plugin-svelte";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { shellOfThisBuild } from "./shell.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [
    svelte(),
    shellOfThisBuild([
      "/wallet",
      "/till",
      "/manifest.webmanifest",
      "/till.webmanifest",
      "/icons/icon.svg",
    ]),
  ],
  worker: { format: "es" },
  build: {
    outDir: here("../src/amana/node/static"),
    emptyOutDir: true,
    target: "es2022",
    // An inlined asset would be a data: address, which the content security policy refuses for fonts and scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        index: here("index.html"),
        wallet: here("wallet.html"),
        till: here("till.html"),
        checkout: here("checkout.html"),
        "service-worker": here("src/worker/worker.ts"),
      },
      output: {
        entryFileNames: (chunk) =>
          chunk.name === "service-worker" ? "[name].js" : "assets/[name]-[hash].js",
      },
    },
  },
});
