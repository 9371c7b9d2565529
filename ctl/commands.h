/*
 * What each verb does. All return the exit status: 0 done, 1 failed.
 */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

struct invocation;

/* One function for each verb of the table in parse.c, which checks the
 * arguments first. What is borrowed lives for the call. */
int cmd_channels_add(const struct invocation *);
int cmd_channels_capabilities(const struct invocation *);
int cmd_channels_list(const struct invocation *);
int cmd_channels_logs(const struct invocation *);
int cmd_channels_remove(const struct invocation *);
int cmd_channels_resolve(const struct invocation *);
int cmd_channels_status(const struct invocation *);
int cmd_completion_bash(const struct invocation *);
int cmd_completion_zsh(const struct invocation *);
int cmd_config_check(const struct invocation *);
int cmd_config_explain(const struct invocation *);
int cmd_cron_add(const struct invocation *);
int cmd_cron_disable(const struct invocation *);
int cmd_cron_enable(const struct invocation *);
int cmd_cron_list(const struct invocation *);
int cmd_cron_rm(const struct invocation *);
int cmd_cron_run(const struct invocation *);
int cmd_dead_list(const struct invocation *);
int cmd_dead_retry(const struct invocation *);
int cmd_directory_groups(const struct invocation *);
int cmd_directory_members(const struct invocation *);
int cmd_directory_peers(const struct invocation *);
int cmd_directory_self(const struct invocation *);
int cmd_doctor(const struct invocation *);
int cmd_explain(const struct invocation *);
int cmd_help(const struct invocation *);
int cmd_log_debug(const struct invocation *);
int cmd_log_info(const struct invocation *);
int cmd_message_broadcast(const struct invocation *);
int cmd_message_react(const struct invocation *);
int cmd_message_read(const struct invocation *);
int cmd_message_send(const struct invocation *);
int cmd_message_sign(const struct invocation *);
int cmd_pairing_approve(const struct invocation *);
int cmd_pairing_import(const struct invocation *);
int cmd_pairing_list(const struct invocation *);
int cmd_pairing_revoke(const struct invocation *);
int cmd_plugins_install(const struct invocation *);
int cmd_reload(const struct invocation *);
int cmd_session_list(const struct invocation *);
int cmd_session_reset(const struct invocation *);
int cmd_session_show(const struct invocation *);
int cmd_status(const struct invocation *);
int cmd_stop(const struct invocation *);
int cmd_upgrade(const struct invocation *);

#endif
