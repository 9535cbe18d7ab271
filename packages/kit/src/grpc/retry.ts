/** Keeps retries below a tenth of all calls, so that a service that is down is not knocked down again. */
export class RetryBudget {
  #tokens = 10;

  call(): void {
    this.#tokens = Math.min(10, this.#tokens + 0.1);
  }

  mayRetry(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** Full jitter around 50 ms, 100 ms, … */
export function retryPauseMs(attempt: number): number {
  return Math.random() * 50 * 2 ** attempt;
}
