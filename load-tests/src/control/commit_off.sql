alter system set synchronous_commit = off
