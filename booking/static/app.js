// Everything works without this file. It moves the focus to the error summary and stops double presses.
import { Button, ErrorSummary, createAll } from "./vendor/govuk-frontend/govuk-frontend.min.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
createAll(ErrorSummary);
createAll(Button, { preventDoubleClick: true });
