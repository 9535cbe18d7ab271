import type { IncomingMessage } from "node:http";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Edge } from "./security.ts";
import { testConfig } from "./testing/fakes.ts";

function request(headers: Record<string, string>, remoteAddress = "192.0.2.7"): IncomingMessage {
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

describe("the edge", () => {
  it("answers under trusted names only", () => {
    const edge = new Edge({ ...testConfig, TRUSTED_HOSTS: ["registry.example.com", "*.example.org"] });
    const origin = (host: string): string | undefined => edge.tryOriginOf(request({ host }));
    expect(origin("registry.example.com")).toBe("http://registry.example.com");
    expect(origin("Registry.Example.com:8080")).toBe("http://registry.example.com:8080");
    expect(origin("a.example.org")).toBe("http://a.example.org");
    for (const host of ["example.org", "evil.com", "evil-example.org", "registry.example.com.evil.com", ""]) {
      expect(origin(host), host).toBeUndefined();
    }
    expect(() => edge.originOf(request({ host: "evil.com" }))).toThrow(/host name/);
  });

  it("never builds a link from a host that is no host", () => {
    const edge = new Edge(testConfig);
    fc.assert(
      fc.property(fc.string(), (host) => {
        const origin = edge.tryOriginOf(request({ host }));
        if (origin !== undefined) expect(new URL(origin).origin).toMatch(/^http:\/\/[^/\\?#@"'<>\s]+$/);
      }),
    );
    for (const host of ["a/b", "a@b", "a?b", "a\\b", 'a"b', "a b", "<a>"]) {
      expect(edge.tryOriginOf(request({ host })), host).toBeUndefined();
    }
  });

  it("believes forwarded headers of trusted proxies alone", () => {
    const edge = new Edge({ ...testConfig, TRUSTED_PROXIES: ["10.0.0.0/8", "::1"] });
    const forwarded = {
      host: "inside:8080",
      "x-forwarded-host": "registry.example.com",
      "x-forwarded-proto": "https",
      "x-forwarded-for": "203.0.113.9, 198.51.100.4, 10.0.0.9",
    };
    expect(edge.originOf(request(forwarded, "10.1.2.3"))).toBe("https://registry.example.com");
    expect(edge.addressOf(request(forwarded, "10.1.2.3"))).toBe("198.51.100.4");
    expect(edge.originOf(request(forwarded))).toBe("http://inside:8080");
    expect(edge.addressOf(request(forwarded))).toBe("192.0.2.7");
    expect(edge.addressOf(request({ "x-forwarded-for": "nonsense" }, "10.1.2.3"))).toBe("10.1.2.3");
  });

  it("takes an IPv6 caller by the network that it owns", () => {
    const edge = new Edge(testConfig);
    expect(edge.addressOf(request({}, "2001:db8:1:2:3:4:5:6"))).toBe("2001:db8:1:2");
    expect(edge.addressOf(request({}, "2001:db8::1"))).toBe(edge.addressOf(request({}, "2001:db8::2:0:1")));
    expect(edge.addressOf(request({}, "::ffff:192.0.2.1"))).toBe("192.0.2.1");
  });

  it("has strict transport security wherever the way to it is encrypted", () => {
    const hsts = "strict-transport-security";
    const known = new Edge({ ...testConfig, PUBLIC_URL: "https://registry.example.com/" });
    expect(known.originOf(request({ host: "10.0.0.5" }))).toBe("https://registry.example.com");
    expect(known.headersFor(request({ host: "10.0.0.5" }))).toHaveProperty(hsts, "max-age=31536000");
    expect(known.headersFor()).toHaveProperty(hsts);
    const own = new Edge({ ...testConfig, TLS_CERT_FILE: "cert" });
    expect(own.originOf(request({ host: "a:8443" }))).toBe("https://a:8443");
    expect(own.headersFor()).toHaveProperty(hsts);
    const proxied = new Edge({ ...testConfig, TRUSTED_PROXIES: ["10.0.0.0/8"] });
    const forwarded = { host: "a", "x-forwarded-proto": "https" };
    expect(proxied.headersFor(request(forwarded, "10.0.0.1"))).toHaveProperty(hsts);
    for (const plain of [request(forwarded), request({ host: "a" }, "10.0.0.1")]) {
      expect(proxied.headersFor(plain)).not.toHaveProperty(hsts);
    }
  });

  it("lets nobody choose the address that limits count under", () => {
    const edge = new Edge({ ...testConfig, TRUSTED_PROXIES: ["10.0.0.0/8"] });
    const behind = (forwarded: string): string => edge.clientOf(request({ "x-forwarded-for": forwarded }, "10.0.0.1"));
    expect(edge.clientOf(request({ "x-forwarded-for": "1.1.1.1" }))).toBe("192.0.2.7");
    // What the client wrote stands on the left of what the proxy added.
    expect(behind("1.1.1.1, 198.51.100.4")).toBe("198.51.100.4");
    expect(behind("10.0.0.9, 198.51.100.4")).toBe("198.51.100.4");
    expect(behind("198.51.100.4, 10.0.0.9")).toBe("198.51.100.4");
    expect(behind("1.1.1.1, nonsense, 10.0.0.9")).toBe("10.0.0.9");
    expect(behind("")).toBe("10.0.0.1");
    expect(edge.connectionOf("10.0.0.1")).toBeUndefined();
    expect(edge.connectionOf("::ffff:192.0.2.1")).toBe("192.0.2.1");
    expect(edge.connectionOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2");
  });
});
