/** The six kinds that the AgentiCraft client knows; its search route returns no other. */
export const agenticraftKinds = ["tool", "agent", "memory", "provider", "workflow", "reasoning"] as const;

export const visibilities = ["public", "internal", "team", "private"] as const;
export type Visibility = (typeof visibilities)[number];

export const formats = ["agenticraft", "agent-plugin", "agentos", "mcp-server", "skill", "npm"] as const;
export type Format = (typeof formats)[number];
