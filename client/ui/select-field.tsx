// A labelled choice.

import './select-field.css';

/** One thing to choose. */
export type SelectOption = { readonly value: string; readonly label: string };

type SelectFieldProps = {
  readonly label: string;
  readonly value: string;
  readonly options: readonly SelectOption[];
  readonly onSelect: (value: string) => void;
  readonly isDisabled?: boolean;
};

/** Label and list. */
export function SelectField({ label, value, options, onSelect, isDisabled = false }: SelectFieldProps) {
  return (
    <label class="select-field">
      <span class="field-label">{label}</span>
      <select value={value} disabled={isDisabled} onChange={(event) => onSelect(event.currentTarget.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}
