/** The four settings in which the same stories are told. */
export const stackKinds = ["embedded", "servers", "five", "five-by-two"] as const;

/**
 * `embedded`: one process on files. `servers`: one process on MongoDB, NATS and MinIO. `five`: a process for each service on
 * those. `five-by-two`: two processes for each service.
 */
export type StackKind = (typeof stackKinds)[number];

export const innerServices = ["auth", "catalog", "storage", "analytics"] as const;
export type InnerService = (typeof innerServices)[number];
export type StackService = InnerService | "gateway";

/** One process to run. */
export interface PlannedProcess {
  /** `registry` where one process hosts all, else `catalog`, or `catalog-1` and `catalog-2` where there are replicas. */
  name: string;
  /** What it hosts; empty for everything. */
  hosts: StackService[];
  /** Of the gateway where it is hosted, else of metrics and health. */
  httpPort: number;
  grpcPort: number;
}

/** How many ports `planStack` takes. */
export function portsNeeded(kind: StackKind): number {
  return 2 * processNames(kind).length;
}

/** The processes of a stack, each with two of the ports. */
export function planStack(kind: StackKind, ports: readonly number[]): PlannedProcess[] {
  return processNames(kind).map(({ name, hosts }, index) => {
    const [httpPort, grpcPort] = ports.slice(2 * index);
    if (httpPort === undefined || grpcPort === undefined) throw new Error(`${kind} needs ${portsNeeded(kind)} ports`);
    return { name, hosts, httpPort, grpcPort };
  });
}

/** Whether the process hosts the service. */
export function hosts(planned: PlannedProcess, service: StackService): boolean {
  return planned.hosts.length === 0 || planned.hosts.includes(service);
}

/** `host:port` of every process that hosts the service. */
export function grpcAddresses(plan: readonly PlannedProcess[], service: InnerService): string[] {
  return plan.filter((planned) => hosts(planned, service)).map(({ grpcPort }) => `127.0.0.1:${grpcPort}`);
}

/** The settings of one process that say where it listens and where the others are. */
export function networkSettings(plan: readonly PlannedProcess[], planned: PlannedProcess): Record<string, string> {
  const settings: Record<string, string> = {
    HOST: "127.0.0.1",
    GRPC_HOST: "127.0.0.1",
    GRPC_PORT: String(planned.grpcPort),
    [hosts(planned, "gateway") ? "PORT" : "METRICS_PORT"]: String(planned.httpPort),
  };
  for (const service of innerServices) {
    if (!hosts(planned, service)) settings[`${service.toUpperCase()}_ADDR`] = grpcTarget(plan, service);
  }
  return settings;
}

/** The gRPC target that stands for every process that hosts the service. */
export function grpcTarget(plan: readonly PlannedProcess[], service: InnerService): string {
  const addresses = grpcAddresses(plan, service);
  return addresses.length === 1 ? addresses.join() : `ipv4:${addresses.join(",")}`;
}

function processNames(kind: StackKind): { name: string; hosts: StackService[] }[] {
  if (kind === "embedded" || kind === "servers") return [{ name: "registry", hosts: [] }];
  const services: StackService[] = [...innerServices, "gateway"];
  const replicas = kind === "five" ? [""] : ["-1", "-2"];
  return services.flatMap((service) => replicas.map((suffix) => ({ name: `${service}${suffix}`, hosts: [service] })));
}
