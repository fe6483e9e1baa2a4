import { createHash } from "node:crypto";
import type { Plugin } from "vite";

const WORKER = "service-worker.js";

/** Tells the service worker which files make up the wallet and the till, and under which version. */
export function shellOfThisBuild(pages: readonly string[]): Plugin {
  return {
    name: "amana-shell",
    enforce: "post",
    generateBundle(_options, bundle) {
      const files = Object.values(bundle).filter((file) => file.fileName !== WORKER);
      const assets = files
        .map((file) => `/${file.fileName}`)
        .filter((name) => name.startsWith("/assets/"));
      const digest = createHash("sha256");
      for (const file of files.toSorted((a, b) => (a.fileName < b.fileName ? -1 : 1))) {
        digest.update(file.fileName).update(file.type === "chunk" ? file.code : file.source);
      }
      const worker = bundle[WORKER];
      if (worker?.type !== "chunk") throw new Error("the service worker is missing from the build");
      const shell = JSON.stringify({
        version: digest.digest("hex").slice(0, 16),
        files: [...pages, ...assets.toSorted()],
      });
      worker.code = `self.__amanaShell=${shell};\n${worker.code}`;
    },
  };
}
