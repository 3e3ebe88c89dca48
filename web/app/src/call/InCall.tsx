// In the call: the tiles, the controls, and a panel beside it.
import type { Call, CallState } from "@connect/sdk/call";
import { type ReactNode, useState } from "react";
import { useReadable } from "../api-context.ts";
import { CopyLink } from "../ui/CopyLink.tsx";
import {
  CaptionsIcon,
  ChatIcon,
  CloseIcon,
  LeaveIcon,
  NotesIcon,
  PeopleIcon,
  PollIcon,
  SpotlightIcon,
} from "../ui/icons.tsx";
import { isolated } from "../ui/words.ts";
import { AskToSpeak } from "./AskToSpeak.tsx";
import { nearby } from "./breakouts.ts";
import { CallBanners } from "./CallBanners.tsx";
import { PanelCaptions, ShownCaptions } from "./Captions.tsx";
import { CaptionsPanel } from "./CaptionsPanel.tsx";
import { ChatPanel } from "./ChatPanel.tsx";
import { ConnectionDetails } from "./ConnectionDetails.tsx";
import { DeviceMenu } from "./DeviceMenu.tsx";
import { DeviceNotices } from "./DeviceNotices.tsx";
import { DeviceToggles } from "./DeviceToggles.tsx";
import { HandToggle } from "./Hands.tsx";
import { More } from "./More.tsx";
import { NotesPanel } from "./NotesPanel.tsx";
import { ownRole } from "./own-role.ts";
import { Part } from "./Part.tsx";
import { PeoplePanel } from "./PeoplePanel.tsx";
import { PollsPanel } from "./PollsPanel.tsx";
import { ReactionMenu, ShownReactions } from "./Reactions.tsx";
import { ScreenBanner, ScreenToggle } from "./ScreenShare.tsx";
import { SessionBanner } from "./SessionBanner.tsx";
import { Tiles } from "./Tiles.tsx";
import { useUnread } from "./unread.ts";
import { callTrouble, capsNotice, unseenNotice } from "./words.ts";

type PanelName = "Chat" | "People" | "Polls" | "Notes" | "Captions";

/** What is beside the tiles, and its name where it cannot be drawn. */
const PANELS = {
  Chat: { part: "The chat", Panel: ChatPanel },
  People: { part: "The list of people", Panel: PeoplePanel },
  Polls: { part: "The polls", Panel: PollsPanel },
  Notes: { part: "The notes", Panel: NotesPanel },
  Captions: { part: "The captions' panel", Panel: CaptionsPanel },
};

/** What is beyond is not worth its space. */
const LARGEST_BADGE = 99;

interface InCallProps {
  call: Call;
  state: CallState;
  room: string;
  capacity: number;
}

export function InCall({ call, state, room, capacity }: InCallProps) {
  const [panel, setPanel] = useState<PanelName | null>(null);
  const [spotlight, setSpotlight] = useState(false);
  const unread = useUnread(state.chat, panel === "Chat", useReadable(call.reading.state));
  const { polls, own } = useReadable(call.polls.state);
  const unanswered = polls.filter(({ id, closedAt }) => closedAt === null && !own.has(id)).length;
  const near = nearby(state, useReadable(call.breakouts.state));
  const isViewer = ownRole(state) === "viewer";
  const trouble = callTrouble(state);
  const notices = [capsNotice(state), unseenNotice(state)].filter((notice) => notice !== null);
  const title = state.room?.name ?? "Call";
  const toggle = (name: PanelName) => setPanel(panel === name ? null : name);
  const { part, Panel } = panel === null ? { part: "", Panel: null } : PANELS[panel];

  return (
    <div className={panel === null ? "call" : "call with-panel"}>
      <title>{`${isolated(title)} · Connect`}</title>
      <header className="call-top">
        <h1 dir="auto">{title}</h1>
        <Part name="Your connection">
          <ConnectionDetails call={call} state={state} />
        </Part>
        <button
          type="button"
          className="button quiet spotlight"
          aria-label="Spotlight"
          aria-pressed={spotlight}
          title={spotlight ? "Show everybody alike" : "Show who speaks large"}
          onClick={() => setSpotlight(!spotlight)}
        >
          <SpotlightIcon />
        </button>
        <CopyLink room={room} quiet />
      </header>
      <main className="call-main">
        <Part name="This view">
          <Tiles call={call} state={near} room={room} capacity={capacity} spotlight={spotlight} />
        </Part>
        <Part name="The captions">
          <ShownCaptions call={call} state={state} />
        </Part>
        <ShownReactions call={call} state={state} />
        <div className="banners" role="status">
          <Part name="What is to be known">
            <ScreenBanner screen={call.screen} />
            <SessionBanner />
            {trouble !== null && <p className="banner">{trouble}</p>}
            <CallBanners call={call} state={state} />
            {notices.map((notice) => (
              <p key={notice} className="banner">
                {notice}
              </p>
            ))}
            <DeviceNotices call={call} />
          </Part>
        </div>
      </main>
      {Panel !== null && (
        <aside className="panel" aria-label="Side panel">
          <div className="panel-head">
            <h2>{panel}</h2>
            <button
              type="button"
              className="button quiet"
              aria-label="Close panel"
              onClick={() => setPanel(null)}
            >
              <CloseIcon />
            </button>
          </div>
          <Part name="The captions">
            <PanelCaptions call={call} state={state} />
          </Part>
          <Part key={panel} name={part}>
            <Panel call={call} state={state} />
          </Part>
        </aside>
      )}
      <footer className="controls">
        {isViewer ? (
          <AskToSpeak call={call} state={state} />
        ) : (
          <DeviceToggles local={call.local} caps={state.caps} />
        )}
        <Part name="The choice of devices">
          <DeviceMenu call={call} />
        </Part>
        <More badge={unanswered}>
          {!isViewer && <ScreenToggle screen={call.screen} caps={state.caps} />}
          <HandToggle call={call} state={state} />
          <ReactionMenu call={call} />
          <PanelButton name="Polls" panel={panel} badge={unanswered} onToggle={toggle} icon={<PollIcon />} />
          <PanelButton name="Notes" panel={panel} badge={0} onToggle={toggle} icon={<NotesIcon />} />
          <PanelButton name="Captions" panel={panel} badge={0} onToggle={toggle} icon={<CaptionsIcon />} />
        </More>
        <PanelButton name="Chat" panel={panel} badge={unread} onToggle={toggle} icon={<ChatIcon />} />
        <PanelButton
          name="People"
          panel={panel}
          badge={state.participants.length}
          onToggle={toggle}
          icon={<PeopleIcon />}
        />
        <button type="button" className="control leave" aria-label="Leave" title="Leave" onClick={call.leave}>
          <LeaveIcon />
          <span className="control-text">Leave</span>
        </button>
      </footer>
    </div>
  );
}

interface PanelButtonProps {
  name: PanelName;
  panel: PanelName | null;
  /** A number beside the icon; none when it is 0. */
  badge: number;
  icon: ReactNode;
  onToggle: (name: PanelName) => void;
}

function PanelButton({ name, panel, badge, icon, onToggle }: PanelButtonProps) {
  return (
    <button
      type="button"
      className={name === "People" ? "control opens" : "control opens news"}
      aria-label={name}
      aria-pressed={panel === name}
      title={name}
      data-badge={badge > LARGEST_BADGE ? `${LARGEST_BADGE}+` : badge || undefined}
      onClick={() => onToggle(name)}
    >
      {icon}
      <span className="control-text">{name}</span>
    </button>
  );
}
