import { tellStories } from "./stories.ts";

tellStories("five-by-two");
