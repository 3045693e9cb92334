/** A part of the page that is drawn anew only when what it is made of is another. */
import { Component, type VNode } from "preact";

interface OnceProps {
  /** What it is made of; compared one by one, as they are. */
  readonly of: readonly unknown[];
  readonly draw: () => VNode;
}

/** Draws it. While a run goes on, most of the page is told nothing by most lines. */
export class Once extends Component<OnceProps> {
  override shouldComponentUpdate({ of }: OnceProps) {
    return of.some((each, i) => each !== this.props.of[i]);
  }

  render({ draw }: OnceProps) {
    return draw();
  }
}
