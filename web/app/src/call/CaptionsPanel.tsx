// Captions: whether and in which language they are shown, and feeding them, by one's own speech or by hand.
import { type CaptionRefusal, MAX_CAPTION_BYTES, MAX_LANGUAGE_BYTES } from "@connect/sdk";
import { type Call, type CallState, isLanguage } from "@connect/sdk/call";
import { type FormEvent, useState } from "react";
import { useReadable } from "../api-context.ts";
import { textOf } from "../pages/AccountForm.tsx";
import { Field } from "../ui/Field.tsx";
import "./captions.css";

export function CaptionsPanel({ call, state }: { call: Call; state: CallState }) {
  const { captions } = call;
  const { on, language, languages } = useReadable(captions.state);
  const choices = [...new Set(language === null ? languages : [...languages, language])];
  return (
    <section className="captions-panel" aria-label="Captions">
      <label className="check">
        <input type="checkbox" checked={on} onChange={({ target }) => captions.show(target.checked)} />
        Show captions
      </label>
      <label className="field">
        <span>Language</span>
        <select
          value={language ?? ""}
          onChange={({ target }) => captions.choose(target.value === "" ? null : target.value)}
        >
          <option value="">All that are fed</option>
          {choices.map((tag) => (
            <option key={tag} value={tag}>
              {languageName(tag)}
            </option>
          ))}
        </select>
      </label>
      {on && languages.length === 0 && <p className="muted small">Nobody feeds captions just now.</p>}
      {state.caps?.captions === false ? (
        <p className="muted small">You cannot feed captions here.</p>
      ) : (
        <Feeding call={call} state={state} />
      )}
    </section>
  );
}

/** Why the others are not shown what was fed. */
const REFUSED: Readonly<Record<CaptionRefusal, string>> = {
  notAllowed: "The others were not shown it: you may not feed captions here any more.",
  tooMuch: "The others were not shown all of it: there is too much at once. Wait a moment.",
  malformed: "The others were not shown it: it is too long, or its language is none.",
};

function Feeding({ call, state }: { call: Call; state: CallState }) {
  const { recognition, refused } = useReadable(call.captions.state);
  const [language, setLanguage] = useState(navigator.language || "en");
  const [speaker, setSpeaker] = useState("");
  const others = state.participants.filter(({ id }) => id !== state.you);
  const isOn = recognition.name === "on";
  const fits = isLanguage(language);
  const feed = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const text = textOf(new FormData(event.currentTarget), "caption").trim();
    if (text !== "") call.captions.feed({ text, language, ...(speaker !== "" && { speaker }) });
    event.currentTarget.reset();
  };
  return (
    <fieldset className="captions-feeding">
      <legend>Feed captions</legend>
      <Field
        label="Language (such as en or pt-BR)"
        value={language}
        maxLength={MAX_LANGUAGE_BYTES}
        error={fits ? undefined : "write it as en or pt-BR"}
        onChange={({ target }) => setLanguage(target.value)}
      />
      {recognition.name === "none" ? (
        <p className="muted small">This browser does not turn speech into text.</p>
      ) : (
        <>
          <label className="check">
            <input
              type="checkbox"
              checked={isOn}
              disabled={!isOn && !fits}
              onChange={() => (isOn ? call.captions.stopRecognizing() : call.captions.recognize(language))}
            />
            Caption what I say
          </label>
          <p className="muted small">
            Your browser does it, and may send the sound of your microphone to its maker for that; not while
            your microphone is off.
          </p>
          {recognition.name === "off" && recognition.problem !== null && (
            <p role="alert">{`It has stopped. ${recognition.problem}`}</p>
          )}
        </>
      )}
      <label className="field">
        <span>Who says what I type</span>
        <select value={speaker} onChange={({ target }) => setSpeaker(target.value)}>
          <option value="">I do</option>
          {others.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <form onSubmit={feed}>
        <Field label="Caption" name="caption" autoComplete="off" maxLength={MAX_CAPTION_BYTES} />
        <button type="submit" className="button secondary" disabled={!fits}>
          Show it
        </button>
      </form>
      <p role="status" className="small">
        {refused !== null && REFUSED[refused]}
      </p>
    </fieldset>
  );
}

/** The language as the reader calls it. */
function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames(undefined, { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
