// The mark of Connect: two rings that meet.
export function Logo() {
  return (
    <span className="logo">
      <svg viewBox="0 0 32 20" aria-hidden="true">
        <circle cx="11" cy="10" r="7.5" />
        <circle cx="21" cy="10" r="7.5" />
      </svg>
      Connect
    </span>
  );
}
