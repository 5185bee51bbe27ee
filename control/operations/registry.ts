/** The handler of each operation. An operation without one, or with one of another form, is a type error. */
import { admitInstances, createAccessKey, createJoinToken, deleteAccessKey, listAccessKeys } from './access.ts';
import { getCapacity } from './capacity.ts';
import {
  createCapacityProvider,
  deleteCapacityProvider,
  describeCapacityProviders,
  updateCapacityProvider,
} from './capacity-providers.ts';
import { putClusterCapacityProviders, updateClusterSettings } from './cluster-capacity.ts';
import { createCluster, deleteCluster, describeClusters, listClusters } from './clusters.ts';
import type { Handlers } from './context.ts';
import { deregisterContainerInstance, updateContainerInstancesState } from './host-states.ts';
import { describeContainerInstances, getHost, getHosts, listContainerInstances } from './hosts.ts';
import { getTasks, listTasks } from './list-tasks.ts';
import { planTasks } from './plan-tasks.ts';
import { runTask } from './run-task.ts';
import {
  deregisterTaskDefinition,
  describeTaskDefinition,
  listTaskDefinitions,
  registerTaskDefinition,
} from './task-definitions.ts';
import { describeTasks, getTask, stopTask } from './tasks.ts';

export const handlers: Handlers = {
  RegisterTaskDefinition: registerTaskDefinition,
  DescribeTaskDefinition: describeTaskDefinition,
  ListTaskDefinitions: listTaskDefinitions,
  DeregisterTaskDefinition: deregisterTaskDefinition,
  RunTask: runTask,
  StopTask: stopTask,
  DescribeTasks: describeTasks,
  ListTasks: listTasks,
  GetTasks: getTasks,
  GetTask: getTask,
  CreateCluster: createCluster,
  DescribeClusters: describeClusters,
  ListClusters: listClusters,
  DeleteCluster: deleteCluster,
  UpdateClusterSettings: updateClusterSettings,
  PutClusterCapacityProviders: putClusterCapacityProviders,
  CreateCapacityProvider: createCapacityProvider,
  UpdateCapacityProvider: updateCapacityProvider,
  DeleteCapacityProvider: deleteCapacityProvider,
  DescribeCapacityProviders: describeCapacityProviders,
  GetCapacity: getCapacity,
  PlanTasks: planTasks,
  DescribeContainerInstances: describeContainerInstances,
  ListContainerInstances: listContainerInstances,
  UpdateContainerInstancesState: updateContainerInstancesState,
  DeregisterContainerInstance: deregisterContainerInstance,
  GetHosts: getHosts,
  GetHost: getHost,
  CreateAccessKey: createAccessKey,
  ListAccessKeys: listAccessKeys,
  DeleteAccessKey: deleteAccessKey,
  CreateJoinToken: createJoinToken,
  AdmitInstances: admitInstances,
};
