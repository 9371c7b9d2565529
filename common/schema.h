/*
 * Which database this release knows. The store makes it so; posternd, which
 * never opens it, tells by it whether another release could take over.
 */
#ifndef COMMON_SCHEMA_H
#define COMMON_SCHEMA_H

/* How many steps sql_migrations has, as PRAGMA user_version holds it. */
#define SCHEMA_VERSION 9

#endif
