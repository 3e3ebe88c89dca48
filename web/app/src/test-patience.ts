// For tests: a machine may pause for seconds, and only what never comes fails a test.
import { configure } from "@testing-library/react";

configure({ asyncUtilTimeout: 10_000 });
