import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isNearMiss } from "./near-miss.ts";

describe("a name is a near miss of another", () => {
  it.each([
    ["weather-toll", "weather-tool"],
    ["wether", "weather"],
    ["weatherr", "weather"],
    ["waether", "weather"],
    ["weather2", "weather"],
    ["langchain-tolos", "langchain-tools"],
    ["tools-langchain", "langchain-tools"],
    ["acme-weather", "@acme/weather"],
    ["@acne/weather", "@acme/weather"],
  ])("%s of %s", (name, other) => {
    expect(isNearMiss(name, other)).toBe(true);
    expect(isNearMiss(other, name)).toBe(true);
  });

  it.each([
    ["weather", "weather"],
    ["weather-forecast", "weather"],
    ["git", "gin"],
    ["calendar", "calculator"],
    ["search-web", "search-mail"],
    ["gpt5-tool", "gpt4-tool"],
    ["step-10", "step-2"],
  ])("%s is none of %s", (name, other) => {
    expect(isNearMiss(name, other)).toBe(false);
  });

  it("after one letter was left out, whichever", () => {
    const name = fc.stringMatching(/^[b-h]{6,20}$/);
    fc.assert(
      fc.property(name, fc.nat(), (text, at) => {
        const cut = at % text.length;
        expect(isNearMiss(text.slice(0, cut) + text.slice(cut + 1), text)).toBe(true);
      }),
    );
  });
});
