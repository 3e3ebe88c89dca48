// Which page is shown: by the address, and by whether somebody is signed in.
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { useApi, useReadable } from "./api-context.ts";
import { HomePage } from "./pages/HomePage.tsx";
import { LoginPage } from "./pages/LoginPage.tsx";
import { Message } from "./pages/Message.tsx";
import { RegisterPage } from "./pages/RegisterPage.tsx";
import { Link, Redirect, routeOf, usePlace } from "./router.tsx";
import { wordsOf } from "./ui/words.ts";

// Half of the code is about calls: those who sign in need not wait for it.
const CallPage = lazy(() => import("./call/CallPage.tsx"));

export function App() {
  const api = useApi();
  const account = useReadable(api.account);
  const { path, search, from } = usePlace();
  const route = routeOf(path);
  const [problem, setProblem] = useState<unknown>(null);

  const restore = useCallback(() => {
    setProblem(null);
    api.restore().catch(setProblem);
  }, [api]);
  useEffect(restore, [restore]);

  if (route.page === "missing") {
    return (
      <Message title="There is nothing here" detail="The address may be mistyped.">
        <Link className="button" to="/">
          Go to your rooms
        </Link>
      </Message>
    );
  }
  if (route.page === "login" || route.page === "register") {
    if (account.status === "signedIn") return <Redirect to={from ?? "/"} />;
    return route.page === "login" ? <LoginPage from={from} /> : <RegisterPage from={from} />;
  }
  if (account.status === "anonymous") {
    return <Redirect to="/login" from={path === "/" ? null : path + search} />;
  }
  if (account.status === "unknown") {
    if (problem === null) return <Waiting />;
    return (
      <Message title="Connect is out of reach" detail={wordsOf(problem)}>
        <button type="button" className="button" onClick={restore}>
          Try again
        </button>
      </Message>
    );
  }
  if (route.page !== "call") return <HomePage user={account.user} />;
  return (
    <Suspense fallback={<Waiting />}>
      <CallPage key={route.room} room={route.room} search={search} user={account.user} />
    </Suspense>
  );
}

function Waiting() {
  return <div className="waiting" role="status" aria-label="Loading" />;
}
