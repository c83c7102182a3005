/** The server's answers that the pages share, asked for again when something has changed. */

import {
  type InvalidateOptions,
  type InvalidateQueryFilters,
  type Query,
  QueryClient,
  type QueryKey,
} from "@tanstack/react-query";

const isAskedFirst = ({ state }: Query) => state.data === undefined && state.fetchStatus === "fetching";

export class Queries extends QueryClient {
  /** As the library's, and what is being asked for the first time is asked again, too.
   *
   * Its answer may be from before the change: the library lets the first request go on, and takes what it says for new.
   */
  override async invalidateQueries<K extends QueryKey = QueryKey>(
    filters?: InvalidateQueryFilters<K>,
    options?: InvalidateOptions,
  ): Promise<void> {
    await this.cancelQueries({ queryKey: filters?.queryKey, predicate: isAskedFirst });
    return super.invalidateQueries(filters, options);
  }
}
