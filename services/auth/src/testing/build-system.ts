import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

export interface MintOptions {
  /** Instead of the current key, e.g. one that was rotated away or is somebody else's. */
  readonly key?: BuildKey;
  readonly header?: Readonly<Record<string, unknown>>;
}

export interface BuildKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** The issuer of a build system's ID tokens: discovery and keys over HTTP, and tokens as its workflows get them. */
export class BuildSystem {
  readonly #server = createServer((request, response) => this.#answer(request, response));
  #key: BuildKey;
  #rotations = 0;
  /** How often its keys were asked for. */
  keysAsked = 0;
  /** Over the discovery document that it would give. */
  discovery: Readonly<Record<string, unknown>> = {};
  /** `silent` takes requests and never answers; `elsewhere` sends everybody on to where the answer would be. */
  manner: "plain" | "silent" | "elsewhere" = "plain";
  /** What the token endpoint answers to any code, where it plays an identity provider. */
  tokens: Readonly<Record<string, unknown>> = {};
  /** What its userinfo endpoint says; undefined where it has nothing to say. */
  userinfo: Readonly<Record<string, unknown>> | undefined;

  private constructor(key: BuildKey) {
    this.#key = key;
  }

  static async start(): Promise<BuildSystem> {
    const system = new BuildSystem(await createBuildKey("build-1"));
    system.#server.listen(0, "127.0.0.1");
    await once(system.#server, "listening");
    return system;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/tenant`;
  }

  get key(): BuildKey {
    return this.#key;
  }

  /** Another key takes the place of the one before. */
  async rotate(): Promise<void> {
    this.#rotations += 1;
    this.#key = await createBuildKey(`build-${this.#rotations + 1}`);
  }

  /** @param claims exactly those of the token */
  mint(claims: Readonly<Record<string, unknown>>, { key = this.#key, header = {} }: MintOptions = {}): Promise<string> {
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: key.kid, ...header })
      .sign(key.privateKey);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    if (this.manner === "silent") return;
    const body = this.#bodyFor(request.url ?? "");
    const isMoved = this.manner === "elsewhere" && request.url !== "/tenant/moved";
    response.writeHead(isMoved ? 302 : body === undefined ? 404 : 200, {
      "content-type": "application/json",
      ...(isMoved ? { location: `${this.issuer}/moved` } : {}),
    });
    response.end(JSON.stringify(body ?? {}));
  }

  #bodyFor(path: string): object | undefined {
    switch (path) {
      case "/tenant/.well-known/openid-configuration":
      case "/tenant/moved":
        return {
          issuer: this.issuer,
          jwks_uri: `${this.issuer}/keys`,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${this.issuer}/token`,
          userinfo_endpoint: `${this.issuer}/userinfo`,
          ...this.discovery,
        };
      case "/tenant/keys":
        this.keysAsked += 1;
        return { keys: [this.#key.publicJwk] };
      case "/tenant/token":
        return this.tokens;
      case "/tenant/userinfo":
        return this.userinfo;
      default:
        return undefined;
    }
  }
}

export async function createBuildKey(kid: string): Promise<BuildKey> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" } };
}
