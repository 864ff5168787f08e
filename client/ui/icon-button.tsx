// A round button that is only an icon; its label is read aloud and shown as a tip.

import { Icon, type IconName } from './icon.tsx';
import './icon-button.css';

type IconButtonProps = {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  /** For a button that opens a panel. */
  readonly isExpanded?: boolean;
};

/** One icon button, 40 px, large enough for a thumb. */
export function IconButton({ icon, label, onClick, isExpanded }: IconButtonProps) {
  return (
    <button
      class="icon-button"
      type="button"
      aria-label={label}
      aria-expanded={isExpanded}
      title={label}
      onClick={onClick}
    >
      <Icon name={icon} size={22} />
    </button>
  );
}
