alter system set synchronous_commit = on
