/**
 * regshift as a part of another app: the package's entry `regshift`. docs/embedding.md leads through it, and
 * examples/embedded has an app for Node and one for Workers.
 */
export type { SettingProblem } from '../../config/problem.ts';
export type { AppSettings } from './app-settings.ts';
export {
  type AppOptions,
  createEmbeddedApp as createApp,
  type EmbeddedApp,
  type RequestFacts,
  SettingsError,
} from './embedded-app.ts';
