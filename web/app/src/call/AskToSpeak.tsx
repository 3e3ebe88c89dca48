// The stage of a webinar: viewers ask for it, who keeps order brings them on it or refuses, and each is told what has become of
// them.
import { type Call, type CallState, keepsOrder } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { MicrophoneIcon } from "../ui/icons.tsx";
import { isolated } from "../ui/words.ts";
import { Banner } from "./Banner.tsx";
import { ownRole } from "./own-role.ts";

interface StageProps {
  call: Call;
  state: CallState;
}

/** In the place of the devices that a viewer does not have. */
export function AskToSpeak({ call, state }: StageProps) {
  const asks = useReadable(call.stage.state).asking.some((id) => id === state.you);
  return (
    <button
      type="button"
      className="control opens worded"
      aria-label="Ask to speak"
      aria-pressed={asks}
      title={asks ? "Ask to speak no more" : "Ask to be brought on stage"}
      onClick={() => (asks ? call.stage.withdraw() : call.stage.ask())}
    >
      <MicrophoneIcon />
      <span className="control-text">{asks ? "Asking…" : "Ask to speak"}</span>
    </button>
  );
}

/** For who keeps order: who asks, the first first. */
export function AskingList({ call, state }: StageProps) {
  const { asking } = useReadable(call.stage.state);
  const people = peopleOf(asking, state);
  if (people.length === 0) return null;
  return (
    <section className="at-the-door" aria-label="Asking to speak">
      <h3>Asking to speak</h3>
      <ol>
        {people.map(({ id, name }) => (
          <li key={id}>
            <bdi>{name}</bdi>
            <button
              type="button"
              className="button secondary"
              aria-label={`Bring on stage: ${isolated(name)}`}
              onClick={() => call.stage.bring(id)}
            >
              Bring on stage
            </button>
            <button
              type="button"
              className="button quiet"
              aria-label={`Refuse ${isolated(name)}`}
              onClick={() => call.stage.refuse(id)}
            >
              Refuse
            </button>
          </li>
        ))}
      </ol>
      {people.length > 1 && (
        <div className="row">
          <button type="button" className="button quiet" onClick={() => call.stage.refuse()}>
            Refuse all
          </button>
        </div>
      )}
    </section>
  );
}

export function StageBanners({ call, state }: StageProps) {
  return (
    <>
      {keepsOrder(ownRole(state)) && <Asking call={call} state={state} />}
      <News call={call} />
    </>
  );
}

/** That somebody asks, wherever one looks. */
function Asking({ call, state }: StageProps) {
  const { asking } = useReadable(call.stage.state);
  const people = peopleOf(asking, state);
  const [first] = people;
  if (first === undefined) return null;
  const more = people.length - 1;
  return (
    <Banner
      action={
        <button type="button" className="button secondary" onClick={() => call.stage.bring(first.id)}>
          <span>
            Bring <bdi>{first.name}</bdi> on stage
          </span>
        </button>
      }
    >
      <p>
        <bdi>{first.name}</bdi>
        {more === 0 ? " asks" : ` and ${more} more ask`} to speak. You can refuse in <em>People</em>.
      </p>
    </Banner>
  );
}

/** What has become of oneself. */
function News({ call }: { call: Call }) {
  const { news } = useReadable(call.stage.state);
  if (news === null) return null;
  const known = (
    <button type="button" className="button secondary" onClick={() => call.stage.dismiss()}>
      OK
    </button>
  );
  if (news !== "onStage")
    return (
      <Banner action={known}>
        <p>{WORDS[news]}</p>
      </Banner>
    );
  const beSeen = () => {
    call.stage.dismiss();
    void call.local.turn("microphone", true);
    void call.local.turn("camera", true);
  };
  return (
    <Banner
      action={
        <>
          <button type="button" className="button" onClick={beSeen}>
            Turn both on
          </button>
          {known}
        </>
      }
    >
      <p>
        <strong>You are on stage.</strong> Everybody hears and sees you as soon as your microphone and camera
        are on.
      </p>
    </Banner>
  );
}

const WORDS = {
  viewer: "You are a viewer again: nobody hears or sees you. You can ask to speak.",
  refused: "You were not brought on stage. You can ask again.",
};

function peopleOf(ids: readonly string[], { participants }: CallState) {
  return ids.flatMap((id) => participants.find((person) => person.id === id) ?? []);
}
