// Routes by path.
import { expect, it } from "vitest";
import { routeOf } from "./router.tsx";

it.each([
  ["/", { page: "home" }],
  ["/login", { page: "login" }],
  ["/rooms", { page: "rooms" }],
  ["/developers", { page: "developers" }],
  ["/register/", { page: "register" }],
  ["/call/bako-tuvi", { page: "call", room: "bako-tuvi" }],
  ["/call/a%20b", { page: "call", room: "a b" }],
  ["/call/%E0%A4%A", { page: "call", room: "%E0%A4%A" }],
  ["/call", { page: "missing" }],
  ["/call/a/b", { page: "missing" }],
  ["/login/x", { page: "missing" }],
])("%s", (path, route) => {
  expect(routeOf(path)).toEqual(route);
});
