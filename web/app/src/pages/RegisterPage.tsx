// Signing up.
import { useApi } from "../api-context.ts";
import { Link } from "../router.tsx";
import { Field } from "../ui/Field.tsx";
import { AccountForm, textOf } from "./AccountForm.tsx";
import { SignOn } from "./SignOn.tsx";

export function RegisterPage({ from }: { from: string | null }) {
  const api = useApi();
  return (
    <AccountForm
      heading="Create your account"
      lead="Your name is what others see in a call."
      submit="Create account"
      failure="Registration failed"
      onSubmit={(fields) =>
        api.register({
          name: textOf(fields, "name").trim(),
          email: textOf(fields, "email"),
          password: textOf(fields, "password"),
        })
      }
      below={<SignOn back={from ?? "/"} />}
      footer={
        <>
          Already have an account?{" "}
          <Link to="/login" from={from}>
            Sign in
          </Link>
        </>
      }
    >
      {(errorOf) => (
        <>
          <Field label="Name" name="name" autoComplete="name" required error={errorOf("name")} />
          <Field
            label="Email"
            name="email"
            type="email"
            autoComplete="email"
            required
            error={errorOf("email")}
          />
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete="new-password"
            required
            error={errorOf("password")}
          />
        </>
      )}
    </AccountForm>
  );
}
