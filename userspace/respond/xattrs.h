/* xattrs.h - extended attributes: access lists, security labels, what users put there. Layer: respond. */
#pragma once

/**
 * Gives @p to the extended attributes of @p from that it lacks or has otherwise. An access list (system.posix_acl_access) or
 * a label (security.selinux) decides who may open a file as much as owner and mode do.
 *
 * @return 0, also where the file system has none; -E2BIG more than 64 KiB of names or of one value; or -errno of the first
 *         that could not be set, the others are set all the same
 */
int xattrs_copy(int from, int to);
