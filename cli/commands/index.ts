/** All commands, by what they are about, in the order of `gantry --help`. */
import type { Command, CommandGroup } from '../command.ts';
import { admitCommand } from './admit.ts';
import { adoptCommand, discardCommand } from './adopt.ts';
import { auditCommand } from './audit.ts';
import { capacityCommand } from './capacity.ts';
import {
  clustersCreateCommand,
  clustersDeleteCommand,
  clustersListCommand,
  clustersSettingsCommand,
  clustersShowCommand,
} from './clusters.ts';
import { completeCommand } from './complete.ts';
import { completionCommand } from './completion.ts';
import { contextsListCommand, contextsRemoveCommand, contextsUseCommand } from './contexts.ts';
import { deregisterCommand } from './deregister.ts';
import { doctorCommand } from './doctor.ts';
import { downCommand } from './down.ts';
import { activateCommand, drainCommand } from './drain.ts';
import { eventsCommand } from './events.ts';
import { hostsCommand } from './hosts.ts';
import { imagesCommand } from './images.ts';
import { joinCommand } from './join.ts';
import { joinTokenCommand } from './join-token.ts';
import { keysCreateCommand, keysListCommand, keysRevokeCommand } from './keys.ts';
import { leaveCommand } from './leave.ts';
import { loginCommand } from './login.ts';
import { logsCommand } from './logs.ts';
import { planRunCommand } from './plan.ts';
import { psCommand } from './ps.ts';
import { quickstartCommand } from './quickstart.ts';
import { registerCommand } from './register.ts';
import { registriesListCommand, registriesLoginCommand, registriesLogoutCommand } from './registries.ts';
import { runCommand } from './run.ts';
import { showCommand } from './show.ts';
import { stopCommand } from './stop.ts';
import { storeRestoredCommand } from './store.ts';
import { storeCopyCommand } from './store-copy.ts';
import {
  taskDefsDeleteCommand,
  taskDefsDeregisterCommand,
  taskDefsDiffCommand,
  taskDefsListCommand,
  taskDefsShowCommand,
} from './task-defs.ts';
import { topCommand } from './top.ts';
import { upCommand } from './up.ts';
import { waitCommand } from './wait.ts';
import {
  webhooksCreateCommand,
  webhooksDeleteCommand,
  webhooksListCommand,
  webhooksPauseCommand,
  webhooksResumeCommand,
  webhooksTestCommand,
} from './webhooks.ts';
import { whyCommand } from './why.ts';

export const commandGroups: readonly CommandGroup[] = [
  {
    title: 'A cloud on this machine',
    commands: [quickstartCommand, upCommand, downCommand, doctorCommand, storeCopyCommand, storeRestoredCommand],
  },
  {
    title: 'Tasks',
    commands: [registerCommand, runCommand, psCommand, showCommand, whyCommand, logsCommand, waitCommand, stopCommand],
  },
  {
    title: 'Task definitions',
    commands: [
      taskDefsListCommand,
      taskDefsShowCommand,
      taskDefsDiffCommand,
      taskDefsDeregisterCommand,
      taskDefsDeleteCommand,
    ],
  },
  {
    title: 'Clusters and their hosts',
    commands: [
      clustersListCommand,
      clustersShowCommand,
      clustersCreateCommand,
      clustersSettingsCommand,
      clustersDeleteCommand,
      hostsCommand,
      imagesCommand,
      drainCommand,
      activateCommand,
      deregisterCommand,
      adoptCommand,
      discardCommand,
      registriesLoginCommand,
      registriesListCommand,
      registriesLogoutCommand,
    ],
  },
  {
    title: 'What goes on',
    commands: [
      topCommand,
      eventsCommand,
      webhooksCreateCommand,
      webhooksListCommand,
      webhooksTestCommand,
      webhooksPauseCommand,
      webhooksResumeCommand,
      webhooksDeleteCommand,
    ],
  },
  { title: 'This machine as a host', commands: [joinCommand, leaveCommand] },
  { title: 'Capacity', commands: [capacityCommand, planRunCommand] },
  {
    title: 'Who may call, and what may join',
    commands: [keysCreateCommand, keysListCommand, keysRevokeCommand, joinTokenCommand, admitCommand, auditCommand],
  },
  {
    title: 'Several control planes',
    commands: [loginCommand, contextsListCommand, contextsUseCommand, contextsRemoveCommand],
  },
  { title: 'Completion', commands: [completionCommand, completeCommand] },
];

export const commands: readonly Command[] = commandGroups.flatMap((group) => group.commands);
