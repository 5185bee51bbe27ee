/** Where a container's log goes, and who is allowed to write it there. */
import type { Size } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { compact } from '../core/compact.ts';

export interface GantryLogConfiguration {
  readonly logDriver: 'json-file' | 'awslogs';
  readonly options: Readonly<Record<string, string>>;
}

export interface GantryJsonFileProps {
  /**
   * How much is kept in one piece; the oldest of the pieces goes first.
   * @default Size.mebibytes(10)
   */
  readonly maxSize?: Size;
  /**
   * How many such pieces are kept.
   * @default 5
   */
  readonly maxFile?: number;
}

export interface GantryAwsLogsProps {
  readonly logGroup: logs.ILogGroup;
  /**
   * Streams are named `prefix/container/task id`.
   * @default - streams are named by the container's id
   */
  readonly streamPrefix?: string;
  /**
   * What becomes of a container that writes faster than CloudWatch Logs takes: it waits, or the oldest is left out.
   * @default 'non-blocking'
   */
  readonly mode?: 'blocking' | 'non-blocking';
  /**
   * How much may wait to be sent with `non-blocking`.
   * @default Size.mebibytes(10)
   */
  readonly maxBufferSize?: Size;
  /**
   * A format of strftime with which events begin, for example `%Y-%m-%d`: lines without it belong to the event before.
   * @default - each line is an event
   */
  readonly datetimeFormat?: string;
}

/** A container's log. Whichever it is, `gantry logs` reads what the host keeps of it. */
export class GantryLogging {
  /** As the API takes it. */
  readonly configuration: GantryLogConfiguration;
  private readonly logGroup: logs.ILogGroup | undefined;

  private constructor(configuration: GantryLogConfiguration, logGroup?: logs.ILogGroup) {
    this.configuration = configuration;
    this.logGroup = logGroup;
  }

  /** Kept on the host. */
  static jsonFile({ maxSize, maxFile }: GantryJsonFileProps = {}): GantryLogging {
    const options = compact({ 'max-size': maxSize && bytes(maxSize), 'max-file': maxFile?.toString() });
    return new GantryLogging({ logDriver: 'json-file', options });
  }

  /** Sent to CloudWatch Logs as well, by the role of the hosts. */
  static awsLogs(props: GantryAwsLogsProps): GantryLogging {
    const { logGroup, streamPrefix, mode, maxBufferSize, datetimeFormat } = props;
    const options = compact({
      'awslogs-group': logGroup.logGroupName,
      'awslogs-region': logGroup.env.region,
      'awslogs-stream-prefix': streamPrefix,
      'awslogs-datetime-format': datetimeFormat,
      mode,
      'max-buffer-size': maxBufferSize && bytes(maxBufferSize),
    });
    return new GantryLogging({ logDriver: 'awslogs', options }, logGroup);
  }

  /** Allows whoever runs the container to send it where it goes. */
  grantWrite(grantee: iam.IGrantable): void {
    this.logGroup?.grantWrite(grantee);
  }
}

const bytes = (size: Size): string => `${size.toKibibytes()}k`;
