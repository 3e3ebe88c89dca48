// Icons: drawn with strokes in the text's color, never with a meaning of their own.
import type { ReactNode } from "react";

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      {children}
    </svg>
  );
}

const SLASH = <path d="M4 4l16 16" />;

export const MicrophoneIcon = ({ off = false }) => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
    {off && SLASH}
  </Icon>
);

export const CameraIcon = ({ off = false }) => (
  <Icon>
    <rect x="3" y="6.5" width="12.5" height="11" rx="2.5" />
    <path d="M15.5 11l5.5-3.2v8.4L15.5 13" />
    {off && SLASH}
  </Icon>
);

export const ChatIcon = () => (
  <Icon>
    <path d="M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.5 4v-4A2.5 2.5 0 0 1 4 13.5z" />
  </Icon>
);

export const CaptionsIcon = () => (
  <Icon>
    <rect x="3" y="5.500" width="18" height="13" rx="2.500" />
    <path d="M6.500 11h5M14 11h3.500M6.500 15h3M12 15h5.500" />
  </Icon>
);

export const NotesIcon = () => (
  <Icon>
    <path d="M6 3.500h9l4 4V20.500H6zM15 3.500v4h4M9 12h7M9 16h5" />
  </Icon>
);

export const PeopleIcon = () => (
  <Icon>
    <circle cx="9" cy="8.5" r="3.5" />
    <path d="M2.5 19.5c.5-3.5 3-5.5 6.5-5.5s6 2 6.5 5.5M15.5 5.300a3.5 3.5 0 0 1 0 6.400M18 14.600c2 .8 3.200 2.5 3.5 4.900" />
  </Icon>
);

export const HandIcon = () => (
  <Icon>
    <path d="M7 12V6.5a1.500 1.500 0 0 1 3 0V11V4.5a1.500 1.500 0 0 1 3 0V11V6a1.500 1.500 0 0 1 3 0v6.500l1.200-1.800a1.500 1.500 0 0 1 2.600 1.500l-2.600 5.300a6 6 0 0 1-5.400 3.500A6 6 0 0 1 7 15z" />
  </Icon>
);

export const SmileIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M8.5 14a4 4 0 0 0 7 0M9 9.500v.5M15 9.500v.5" />
  </Icon>
);

export const PollIcon = () => (
  <Icon>
    <path d="M5 20v-7M12 20V4M19 20v-11" />
  </Icon>
);

export const LeaveIcon = () => (
  <Icon>
    <path d="M3.5 14.5c-.8-3 3.700-6 8.5-6s9.300 3 8.5 6c-.3 1.200-1.300 1.5-2.300 1.200l-1.900-.6c-.9-.3-1.300-.9-1.300-1.800v-1.200a10.5 10.5 0 0 0-6 0v1.200c0 .9-.4 1.5-1.300 1.800l-1.900.6c-1 .3-2 0-2.300-1.200z" />
  </Icon>
);

export const LinkIcon = () => (
  <Icon>
    <path d="M10 14a4 4 0 0 0 5.700 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 0 0 11 18.700l1-1" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);

export const PlusIcon = () => (
  <Icon>
    <path d="M12 5v14M5 12h14" />
  </Icon>
);

export const ScreenIcon = () => (
  <Icon>
    <rect x="3" y="4.5" width="18" height="12" rx="2" />
    <path d="M8.5 20h7M12 13.5v-6M9.300 10l2.700-2.700 2.700 2.700" />
  </Icon>
);

export const PinIcon = ({ off = false }) => (
  <Icon>
    <path d="M9 3.5h6M10 3.5v6l-3 3.5v1.5h10V13l-3-3.500v-6M12 14.500V20.500" />
    {off && SLASH}
  </Icon>
);

export const SpotlightIcon = () => (
  <Icon>
    <rect x="3" y="4.5" width="12.5" height="15" rx="2" />
    <path d="M18.500 5h2.500M18.500 12h2.500M18.500 19h2.500" />
  </Icon>
);

/** As many of four bars as `count` says stand out. */
export const BarsIcon = ({ count }: { count: number }) => (
  <svg className="icon bars" viewBox="0 0 24 24" aria-hidden="true">
    {[1, 2, 3, 4].map((bar) => (
      <path
        key={bar}
        className={bar <= count ? "bar full" : "bar"}
        d={`M${bar * 5 - 0.5} 20V${20 - bar * 4}`}
      />
    ))}
  </svg>
);

export const MoreIcon = () => (
  <Icon>
    <path d="M5 12h.01M12 12h.01M19 12h.01" strokeWidth="3" />
  </Icon>
);

export const DevicesIcon = () => (
  <Icon>
    <path d="M4 7h9M17 7h3M4 17h3M11 17h9" />
    <circle cx="15" cy="7" r="2" />
    <circle cx="9" cy="17" r="2" />
  </Icon>
);

export const FlipIcon = () => (
  <Icon>
    <path d="M4 10a8 8 0 0 1 14-3.500L20 8.500M20 4v4.500h-4.500M20 14a8 8 0 0 1-14 3.500L4 15.500M4 20v-4.500h4.500" />
  </Icon>
);
