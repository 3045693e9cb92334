/** The pages of an atlas. */
/// <reference lib="dom" />
import { render } from "preact";
import { AtlasPage } from "./atlas_page.tsx";

render(<AtlasPage />, document.getElementById("atlas")!);
