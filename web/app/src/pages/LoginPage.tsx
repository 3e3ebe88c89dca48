// Signing in.
import type { ReactNode } from "react";
import { useApi } from "../api-context.ts";
import { Link } from "../router.tsx";
import { Field } from "../ui/Field.tsx";
import { AccountForm, textOf } from "./AccountForm.tsx";
import { RecentRooms } from "./RecentRooms.tsx";
import { SignOn } from "./SignOn.tsx";

interface LoginPageProps {
  from: string | null;
  /** What came of another way to sign in. */
  notice: ReactNode;
}

export function LoginPage({ from, notice }: LoginPageProps) {
  const api = useApi();
  return (
    <AccountForm
      heading="Welcome back"
      lead={from?.startsWith("/call/") ? "Sign in to join the call." : "Sign in to open your rooms."}
      submit="Sign in"
      failure="Login failed"
      onSubmit={(fields) =>
        api.login({ email: textOf(fields, "email"), password: textOf(fields, "password") })
      }
      notice={notice}
      below={
        <>
          <SignOn back={from ?? "/"} />
          <RecentRooms />
        </>
      }
      footer={
        <>
          New to Connect?{" "}
          <Link to="/register" from={from}>
            Create an account
          </Link>
          <br />
          <Link to="/reset">Forgot your password?</Link>
        </>
      }
    >
      {(errorOf) => (
        <>
          <Field
            label="Email"
            name="email"
            type="email"
            autoComplete="username"
            required
            error={errorOf("email")}
          />
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete="current-password"
            required
            error={errorOf("password")}
          />
        </>
      )}
    </AccountForm>
  );
}
