// Starts the app: one API client, one root.
import { Api } from "@connect/sdk";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { ApiContext } from "./api-context.ts";
import "./ui/tokens.css";
import "./ui/base.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root");

createRoot(root).render(
  <StrictMode>
    <ApiContext value={new Api()}>
      <App />
    </ApiContext>
  </StrictMode>,
);
