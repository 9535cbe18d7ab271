import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AllowedAddresses } from "./addresses.ts";
import { hostOf, parseTarget } from "./url.ts";

const usual = new AllowedAddresses([]);
const local = new AllowedAddresses(["127.0.0.0/8", "::1"]);

const reason = (text: string, allowed = usual): string => {
  try {
    return `taken ${parseTarget(text, allowed)}`;
  } catch (error) {
    return (error as Error).message;
  }
};

describe("where a webhook leads", () => {
  it.each([
    ["https://receiver.example", "https://receiver.example/"],
    ["HTTPS://Receiver.Example:8443/a%20b?x=1", "https://receiver.example:8443/a%20b?x=1"],
    ["https://receiver.example./hook", "https://receiver.example/hook"],
    ["https://bücher.example/", "https://xn--bcher-kva.example/"],
    ["https://8.8.8.8/", "https://8.8.8.8/"],
    ["https://134744072/", "https://8.8.8.8/"],
    ["https://[2606:4700::1111]/", "https://[2606:4700::1111]/"],
  ])("%s is taken as %s", (text, url) => {
    expect(parseTarget(text, usual)).toBe(url);
  });

  it.each([
    ...["https://0x7f.1/", "https://2130706433/", "https://0177.0.0.1/", "https://127.0.0.1./", "https://127.1/"],
    ...["https://[::ffff:127.0.0.1]/", "https://[::1]/", "https://[0:0::7f00:1]/", "https://169.254.169.254/latest/"],
    ...["https://[fd00:ec2::254]/", "https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://0/", "https://[::]/"],
    ...["https://%31%32%37.0.0.1/", "https:127.0.0.1", "https:\\\\127.0.0.1\\", "https://10.0.0.1:443/"],
  ])("%s is no public address, which names the field and the setting", (text) => {
    expect(reason(text)).toMatch(/^url: this address is not public; .*WEBHOOK_ALLOWED_NETWORKS$/);
  });

  it.each([
    ["http://receiver.example/", /WEBHOOK_ALLOWED_NETWORKS/],
    ["ftp://receiver.example/", /https/],
    ["javascript:alert(1)", /https/],
    ["file:///etc/passwd", /https/],
    ["receiver.example", /https/],
    ["https://user@receiver.example/", /no user/],
    ["https://user:pass@receiver.example/", /no user/],
    ["https://receiver.example/#part", /fragment/],
    ["https://receiver.example/#", /fragment/],
    ["https://receiver.example:0/", /port/],
    ["https://receiver.example:65536/", /URL/],
    ["https://127.0.0.1../", /host/],
    ["https://receiver..example/", /host/],
    ["https://.receiver.example/", /host/],
    [" https://receiver.example/", /URL/],
    ["https://rece\tiver.example/", /URL/],
    ["https://receiver.example/\n", /URL/],
    ["https://[fe80::1%25eth0]/", /URL/],
    ["https://", /URL/],
    [`https://receiver.example/${"ü".repeat(1000)}`, /escaped/],
    ["", /URL/],
  ])("%j is refused", (text, message) => {
    expect(reason(text)).toMatch(message);
  });

  it("is over http where networks are allowed, and of addresses in those alone", () => {
    expect(parseTarget("http://127.0.0.1:8080/hook", local)).toBe("http://127.0.0.1:8080/hook");
    expect(parseTarget("http://[::1]/hook", local)).toBe("http://[::1]/hook");
    expect(parseTarget("http://build.internal/hook", local)).toBe("http://build.internal/hook");
    expect(parseTarget("https://127.0.0.1/hook", local)).toBe("https://127.0.0.1/hook");
    for (const text of ["http://8.8.8.8/", "https://10.0.0.1/", "http://[::ffff:8.8.8.8]/"]) {
      expect(reason(text, local)).toMatch(/not public/);
    }
  });

  it("has one spelling, which is judged as it is called", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true }), (text) => {
        const said = reason(text.replace(/^http:/, "https:"));
        if (!said.startsWith("taken ")) return;
        const url = said.slice("taken ".length);
        expect(parseTarget(url, usual)).toBe(url);
        expect(hostOf(new URL(url))).not.toMatch(/[[\]]|\.$/);
      }),
    );
  });
});
