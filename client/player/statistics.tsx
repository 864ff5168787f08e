// The statistics overlay: everything that is known about the picture on the canvas, in one table.

import type { PlayerState } from './player-state.ts';
import { statisticsRows } from './statistics-rows.ts';
import './statistics.css';

/** The overlay. */
export function Statistics({ state, onClose }: { readonly state: PlayerState; readonly onClose: () => void }) {
  return (
    <aside class="statistics" aria-label="Statistics">
      <button class="statistics-close" type="button" aria-label="Close statistics" onClick={onClose}>
        ×
      </button>
      <table>
        <tbody>
          {statisticsRows(state.stats).map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </aside>
  );
}
