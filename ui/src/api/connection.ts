/** Whether the server answers. What fails to reach it sets this to false; the banner asks until it is back. */

import { Store } from "./store";

export const connection = new Store(true);
