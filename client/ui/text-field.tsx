// A labelled line of text.

import './text-field.css';

type TextFieldProps = {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: 'text' | 'password';
  readonly hint?: string;
  readonly problem?: string;
  readonly isDisabled?: boolean;
};

/** Label, input, and a hint or what is wrong with it. */
export function TextField({ label, value, onInput, type = 'text', hint, problem, isDisabled = false }: TextFieldProps) {
  const common = {
    value,
    disabled: isDisabled,
    autocomplete: 'off',
    spellcheck: false,
    'aria-invalid': problem !== undefined,
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => onInput(event.currentTarget.value),
  };
  return (
    <label class="text-field">
      <span class="field-label">{label}</span>
      {type === 'password' ? <input type="password" {...common} /> : <input type="text" {...common} />}
      {problem !== undefined && <span class="field-problem">{problem}</span>}
      {problem === undefined && hint !== undefined && <span class="field-hint">{hint}</span>}
    </label>
  );
}
