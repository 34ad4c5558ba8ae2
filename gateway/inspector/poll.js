// SPDX-License-Identifier: Apache-2.0
// Views that ask again and again: one question at a time, none while the page is hidden.

/** What `work` throws is told and no reason to stop. Runs `work` now and `ms` after each end, until the returned function is called. */
export function poll(work, ms) {
  let timer, stopped = false;
  const turn = async () => {
    try {
      if (!document.hidden) await work();
    } catch (error) {
      console.error(error);
    }
    if (!stopped) timer = setTimeout(turn, ms);
  };
  turn();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
