"""Calls every operation of ivs-realtime with boto3, configured by nothing but the environment. Prints {operation: outcome}, where the
outcome is "ok" or the error's code. Ends with 3 when this boto3 does not know the service well enough."""

import json
import sys

import boto3
from botocore.exceptions import ClientError, UnknownServiceError

try:
    ivs = boto3.client("ivs-realtime")
    ivs.list_participant_replicas
except (UnknownServiceError, AttributeError):
    sys.exit(3)

outcomes = {}


def call(operation, **parameters):
    try:
        response = getattr(ivs, operation)(**parameters)
        outcomes[operation] = "ok"
        return response
    except ClientError as error:
        outcomes[operation] = error.response["Error"]["Code"]
        assert error.response["Error"]["Message"], operation
        return {}


PUBLIC_KEY = sys.stdin.read()

stage = call("create_stage", name="boto3", participantTokenConfigurations=[{"userId": "alice"}])
arn = stage["stage"]["arn"]
other = ivs.create_stage()["stage"]["arn"]
session, participant = "st-abcdefghijklm", stage["participantTokens"][0]["participantId"]
call("get_stage", arn=arn)
call("update_stage", arn=arn, name="renamed")
call("list_stages", maxResults=10)
call("create_participant_token", stageArn=arn, duration=5, attributes={"a": "b"}, capabilities=["SUBSCRIBE"])
call("disconnect_participant", stageArn=arn, participantId=participant)
call("get_stage_session", stageArn=arn, sessionId=session)
call("list_stage_sessions", stageArn=arn)
call("get_participant", stageArn=arn, sessionId=session, participantId=participant)
call("list_participants", stageArn=arn, sessionId=session, filterByPublished=True)
call("list_participant_events", stageArn=arn, sessionId=session, participantId=participant)
call("tag_resource", resourceArn=arn, tags={"team": "live & well"})
call("list_tags_for_resource", resourceArn=arn)
call("untag_resource", resourceArn=arn, tagKeys=["team", "other"])
storage = call("create_storage_configuration", s3={"bucketName": "boto3-bucket"})["storageConfiguration"]["arn"]
call("get_storage_configuration", arn=storage)
call("list_storage_configurations")
encoder = call("create_encoder_configuration", video={"width": 1280, "height": 720})["encoderConfiguration"]["arn"]
call("get_encoder_configuration", arn=encoder)
call("list_encoder_configurations")
ingest = call("create_ingest_configuration", ingestProtocol="RTMPS", stageArn=arn)["ingestConfiguration"]["arn"]
call("get_ingest_configuration", arn=ingest)
call("update_ingest_configuration", arn=ingest, stageArn=other)
call("list_ingest_configurations", filterByStageArn=other)
key = call("import_public_key", publicKeyMaterial=PUBLIC_KEY)["publicKey"]["arn"]
call("get_public_key", arn=key)
call("list_public_keys")
destination = {"s3": {"storageConfigurationArn": storage, "encoderConfigurationArns": [encoder]}}
composition = call("start_composition", stageArn=arn, destinations=[destination])["composition"]["arn"]
call("get_composition", arn=composition)
call("list_compositions", filterByStageArn=arn)
call("stop_composition", arn=composition)
replication = {"sourceStageArn": arn, "destinationStageArn": other, "participantId": participant}
call("start_participant_replication", **replication)
call("stop_participant_replication", **replication)
call("list_participant_replicas", sourceStageArn=arn, participantId=participant)
call("delete_public_key", arn=key)
call("delete_ingest_configuration", arn=ingest)
call("delete_encoder_configuration", arn=encoder)
call("delete_storage_configuration", arn=storage)
call("delete_stage", arn=other)
assert [list(page["publicKeys"]) for page in ivs.get_paginator("list_public_keys").paginate()] == [[]]
print(json.dumps(outcomes))
