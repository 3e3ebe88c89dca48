// Which page is shown: by the address, and by whether somebody is signed in.
import { lazy, Suspense, useEffect } from "react";
import { useApi, useReadable } from "./api-context.ts";
import { loadPage } from "./load-page.ts";
import { AccountPage } from "./pages/AccountPage.tsx";
import { Boundary } from "./pages/Boundary.tsx";
import { Door } from "./pages/Door.tsx";
import { HomePage } from "./pages/HomePage.tsx";
import { LoginPage } from "./pages/LoginPage.tsx";
import { Message } from "./pages/Message.tsx";
import { RegisterPage } from "./pages/RegisterPage.tsx";
import { ResetPage } from "./pages/ResetPage.tsx";
import { RoomsPage } from "./pages/RoomsPage.tsx";
import { SignedIn } from "./pages/SignedIn.tsx";
import { backOf, SignOnFailure } from "./pages/SignOn.tsx";
import { VerifyPage } from "./pages/VerifyPage.tsx";
import { Waiting } from "./pages/Waiting.tsx";
import { Link, Redirect, routeOf, usePlace } from "./router.tsx";

// Half of the code is about calls: those who sign in need not wait for it.
const DevelopersPage = lazy(() => loadPage(() => import("./developers/DevelopersPage.tsx")));
const CallPage = lazy(() => loadPage(() => import("./call/CallPage.tsx")));

export function App() {
  const api = useApi();
  const { path } = usePlace();

  useEffect(() => {
    // What is wrong is in the account's state.
    api.restore().catch(() => {});
  }, [api]);

  return (
    // Another address is another page: what went wrong on the one is not wrong on the other.
    <Boundary key={path}>
      <Page />
    </Boundary>
  );
}

function Page() {
  const account = useReadable(useApi().account);
  const { path, search, from } = usePlace();
  const route = routeOf(path);

  switch (route.page) {
    case "missing":
      return (
        <Message title="There is nothing here" detail="The address may be mistyped.">
          <Link className="button" to="/">
            Go to your rooms
          </Link>
        </Message>
      );
    case "login":
    case "register":
      if (account.status === "signedIn") return <Redirect to={from ?? backOf(search) ?? "/"} />;
      if (route.page === "register") return <RegisterPage from={from} />;
      return <LoginPage from={from ?? backOf(search)} notice={<SignOnFailure search={search} />} />;
    case "home":
      return <SignedIn>{(user) => <HomePage key={user.id} user={user} />}</SignedIn>;
    case "account":
      return <SignedIn>{(user) => <AccountPage key={user.id} user={user} />}</SignedIn>;
    case "reset":
      return <ResetPage />;
    case "verify":
      return <VerifyPage />;
    case "rooms":
      return <SignedIn>{() => <RoomsPage />}</SignedIn>;
    case "developers":
      return (
        <SignedIn>
          {() => (
            <Suspense fallback={<Waiting />}>
              <DevelopersPage />
            </Suspense>
          )}
        </SignedIn>
      );
    case "call":
      // Media and signaling need no account once they run: what in the page needs one asks for it there.
      return (
        <Door key={route.room} room={route.room}>
          {(visitor) => (
            <Suspense fallback={<Waiting />}>
              <CallPage room={route.room} search={search} visitor={visitor} />
            </Suspense>
          )}
        </Door>
      );
  }
}
