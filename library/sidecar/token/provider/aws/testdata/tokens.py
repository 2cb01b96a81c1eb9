"""Prints tokens.json: tokens that botocore makes at frozen times.

The committed ones are of Debian's aws-cli 2.36.17: python3 -B tokens.py >tokens.json
"""
import datetime
import json
import sys

import awscli  # makes its own botocore the one
from botocore import session, auth  # in this order

LONG = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None
TEMPORARY = "ASIAIOSFODNN7EXAMPLE", "a+b/c=d", "IQoJb3JpZ2lu+/==//a b%41&=?é"
RDS, CHINA = "db.abc123.eu-central-1.rds.amazonaws.com", "db.abc123.rds.cn-north-1.amazonaws.com.cn"
DSQL = "abc0123456789.dsql.us-east-1.on.aws"

CASES = [
    ("rds", RDS, 5432, "eu-central-1", "shop", LONG, "2026-01-02T03:04:05Z"),
    ("rds", RDS, 3306, "eu-central-1", "foo@bar é", TEMPORARY, "2026-01-02T03:04:05Z"),
    ("rds", RDS, 5432, "eu-central-1", "a/b+c=d&e?f#g%20h~i*j(k)", TEMPORARY, "2028-02-29T23:59:59Z"),
    ("rds", CHINA, 5432, "cn-north-1", "größe", LONG, "2026-12-31T23:59:59Z"),
    ("dsql", DSQL, 0, "us-east-1", "shop", TEMPORARY, "2026-01-02T03:04:05Z"),
    ("dsql", DSQL, 0, "us-east-1", "admin", LONG, "2026-01-02T03:04:05Z"),
]


def token(kind, host, port, region, user, key, at):
    class Frozen(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return datetime.datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ")

    auth.datetime.datetime = Frozen
    s = session.Session()
    s.set_credentials(*key)
    client = s.create_client(kind, region_name=region)
    if kind == "rds":
        return client.generate_db_auth_token(host, port, user, Region=region)
    if user == "admin":
        return client.generate_db_connect_admin_auth_token(host, region, 900)
    return client.generate_db_connect_auth_token(host, region, 900)


made = [
    {
        "kind": c[0], "host": c[1], "port": c[2], "region": c[3], "user": c[4], "key": c[5][0], "secret": c[5][1],
        "session": c[5][2] or "", "at": c[6], "token": token(*c),
    }
    for c in CASES
]
json.dump({"madeBy": "tokens.py, with aws-cli " + awscli.__version__, "tokens": made}, sys.stdout, indent=1)
print()
