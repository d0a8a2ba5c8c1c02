BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('a5c220713937');
CREATE TABLE "auth" ("id" VARCHAR(255) NOT NULL, "email" VARCHAR(255) NOT NULL, "password" TEXT NOT NULL NOT NULL, "active" INTEGER NOT NULL);
CREATE TABLE channel (
	id TEXT NOT NULL, 
	user_id TEXT, 
	name TEXT, 
	description TEXT, 
	data JSON, 
	meta JSON, 
	access_control JSON, 
	created_at BIGINT, 
	updated_at BIGINT, type TEXT, 
	PRIMARY KEY (id), 
	UNIQUE (id)
);
CREATE TABLE channel_member (
	id TEXT NOT NULL, 
	channel_id TEXT NOT NULL, 
	user_id TEXT NOT NULL, 
	created_at BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (id)
);
INSERT INTO "channel_member" VALUES('member-1','gone','gone',1);
CREATE TABLE "chat" ("id" VARCHAR(255) NOT NULL, "user_id" VARCHAR(255) NOT NULL, "title" TEXT NOT NULL NOT NULL, "share_id" VARCHAR(255), "archived" INTEGER NOT NULL, "created_at" DATETIME NOT NULL NOT NULL, "updated_at" DATETIME NOT NULL NOT NULL, chat JSON, pinned BOOLEAN, meta JSON DEFAULT '{}' NOT NULL, folder_id TEXT);
INSERT INTO "chat" VALUES('e0c31094-1d1c-463f-b9f0-0991e0ccc9d4','2fa8b23b-78ff-4ea2-8c02-bb4b3142691d','chat of Undine',NULL,0,1796043021,1796043021,'{"title": "chat of Undine", "models": ["phi3.5"], "history": {"messages": {"m": {"id": "m", "role": "user", "content": "pearls of Undine", "parentId": null, "childrenIds": [], "timestamp": 1700000000}}, "currentId": "m"}, "messages": [{"id": "m", "role": "user", "content": "pearls of Undine", "parentId": null, "childrenIds": [], "timestamp": 1700000000}], "tags": []}',0,'{"tags": ["tag-undine"]}','31739280-9ad2-438e-af04-17433a168f83');
INSERT INTO "chat" VALUES('fb03383a-5405-4507-9499-c15700b1157c','ebc6a63c-a436-4d3a-bc0d-89c1a102132a','chat of Nereus',NULL,0,1796043022,1796043022,'{"title": "chat of Nereus", "models": ["phi3.5"], "history": {"messages": {"m": {"id": "m", "role": "user", "content": "pearls of Nereus", "parentId": null, "childrenIds": [], "timestamp": 1700000000}}, "currentId": "m"}, "messages": [{"id": "m", "role": "user", "content": "pearls of Nereus", "parentId": null, "childrenIds": [], "timestamp": 1700000000}], "tags": []}',0,'{"tags": ["tag-nereus"]}','613e1fcb-a6b3-4e9f-8457-6c1c87a8f144');
CREATE TABLE "chatidtag" ("id" VARCHAR(255) NOT NULL, "tag_name" VARCHAR(255) NOT NULL, "chat_id" VARCHAR(255) NOT NULL, "user_id" VARCHAR(255) NOT NULL, "timestamp" INTEGER NOT NULL NOT NULL);
CREATE TABLE config (
	id INTEGER NOT NULL, 
	data JSON NOT NULL, 
	version INTEGER NOT NULL, 
	created_at DATETIME DEFAULT (CURRENT_TIMESTAMP) NOT NULL, 
	updated_at DATETIME DEFAULT (CURRENT_TIMESTAMP), 
	PRIMARY KEY (id)
);
CREATE TABLE "document" ("id" INTEGER NOT NULL PRIMARY KEY, "collection_name" VARCHAR(255) NOT NULL, "name" VARCHAR(255) NOT NULL, "title" TEXT NOT NULL NOT NULL, "filename" TEXT NOT NULL NOT NULL, "content" TEXT, "user_id" VARCHAR(255) NOT NULL, "timestamp" INTEGER NOT NULL NOT NULL);
CREATE TABLE feedback (
	id TEXT NOT NULL, 
	user_id TEXT, 
	version BIGINT, 
	type TEXT, 
	data JSON, 
	meta JSON, 
	snapshot JSON, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE "file" (
	id TEXT NOT NULL, 
	user_id TEXT NOT NULL, 
	filename TEXT NOT NULL, 
	meta JSON, 
	created_at INTEGER NOT NULL, 
	hash TEXT, 
	data JSON, 
	updated_at BIGINT, 
	path TEXT
, access_control JSON);
INSERT INTO "file" VALUES('0eba4c24-9ba1-4366-8adf-b5b096dd45e0','2fa8b23b-78ff-4ea2-8c02-bb4b3142691d','Undine.txt','{"name": "Undine.txt", "content_type": "text/plain", "size": 43, "data": {}}',1796043022,NULL,'{}',1796043022,'/tmp/adopt-try/o06/data/uploads/0eba4c24-9ba1-4366-8adf-b5b096dd45e0_Undine.txt','null');
INSERT INTO "file" VALUES('43744091-a273-4794-9218-8b34d2abf97b','ebc6a63c-a436-4d3a-bc0d-89c1a102132a','Nereus.txt','{"name": "Nereus.txt", "content_type": "text/plain", "size": 43, "data": {}}',1796043023,NULL,'{}',1796043023,'/tmp/adopt-try/o06/data/uploads/43744091-a273-4794-9218-8b34d2abf97b_Nereus.txt','null');
CREATE TABLE "folder" (
	id TEXT NOT NULL, 
	parent_id TEXT, 
	user_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	items JSON, 
	meta JSON, 
	is_expanded BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, data JSON, 
	PRIMARY KEY (id, user_id)
);
INSERT INTO "folder" VALUES('31739280-9ad2-438e-af04-17433a168f83',NULL,'2fa8b23b-78ff-4ea2-8c02-bb4b3142691d','folder of Undine','null','null',0,1796043021,1796043021,'null');
INSERT INTO "folder" VALUES('613e1fcb-a6b3-4e9f-8457-6c1c87a8f144',NULL,'ebc6a63c-a436-4d3a-bc0d-89c1a102132a','folder of Nereus','null','null',0,1796043022,1796043022,'null');
CREATE TABLE "function" ("id" TEXT NOT NULL, "user_id" TEXT NOT NULL, "name" TEXT NOT NULL, "type" TEXT NOT NULL, "content" TEXT NOT NULL, "meta" TEXT NOT NULL, "created_at" INTEGER NOT NULL, "updated_at" INTEGER NOT NULL, "valves" TEXT, "is_active" INTEGER NOT NULL, "is_global" INTEGER NOT NULL);
CREATE TABLE "group" (
	id TEXT NOT NULL, 
	user_id TEXT, 
	name TEXT, 
	description TEXT, 
	data JSON, 
	meta JSON, 
	permissions JSON, 
	user_ids JSON, 
	created_at BIGINT, 
	updated_at BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (id)
);
INSERT INTO "group" VALUES('7e57975a-6b33-4d08-862c-f111d899d3a9','2fa8b23b-78ff-4ea2-8c02-bb4b3142691d','divers','divers','null','null','null','["2fa8b23b-78ff-4ea2-8c02-bb4b3142691d", "ebc6a63c-a436-4d3a-bc0d-89c1a102132a"]',1796043024,1796043024);
CREATE TABLE knowledge (
	id TEXT NOT NULL, 
	user_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT, 
	data JSON, 
	meta JSON, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, access_control JSON, 
	PRIMARY KEY (id)
);
INSERT INTO "knowledge" VALUES('a013ac8d-4284-4518-963e-2c9d4f1d28f4','2fa8b23b-78ff-4ea2-8c02-bb4b3142691d','handbook of Undine','pearls','{"file_ids": ["0eba4c24-9ba1-4366-8adf-b5b096dd45e0"]}','null',1796043022,1796043022,'{}');
INSERT INTO "knowledge" VALUES('27d3b5e7-8cd9-4f20-8fc9-bce3b9aa074e','ebc6a63c-a436-4d3a-bc0d-89c1a102132a','handbook of Nereus','pearls','null','null',1796043024,1796043024,'{}');
CREATE TABLE "memory" ("id" VARCHAR(255) NOT NULL, "user_id" VARCHAR(255) NOT NULL, "content" TEXT NOT NULL, "updated_at" INTEGER NOT NULL, "created_at" INTEGER NOT NULL);
INSERT INTO "memory" VALUES('memory-1','2fa8b23b-78ff-4ea2-8c02-bb4b3142691d','likes pearls',1,1);
CREATE TABLE message (
	id TEXT NOT NULL, 
	user_id TEXT, 
	channel_id TEXT, 
	content TEXT, 
	data JSON, 
	meta JSON, 
	created_at BIGINT, 
	updated_at BIGINT, parent_id TEXT, reply_to_id TEXT, 
	PRIMARY KEY (id), 
	UNIQUE (id)
);
CREATE TABLE message_reaction (
	id TEXT NOT NULL, 
	user_id TEXT NOT NULL, 
	message_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	created_at BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (id)
);
CREATE TABLE "migratehistory" ("id" INTEGER NOT NULL PRIMARY KEY, "name" VARCHAR(255) NOT NULL, "migrated_at" DATETIME NOT NULL);
INSERT INTO "migratehistory" VALUES(1,'001_initial_schema','2026-11-30 12:49:23.501060');
INSERT INTO "migratehistory" VALUES(2,'002_add_local_sharing','2026-11-30 12:49:23.562597');
INSERT INTO "migratehistory" VALUES(3,'003_add_auth_api_key','2026-11-30 12:49:23.621513');
INSERT INTO "migratehistory" VALUES(4,'004_add_archived','2026-11-30 12:49:23.658765');
INSERT INTO "migratehistory" VALUES(5,'005_add_updated_at','2026-11-30 12:49:23.761371');
INSERT INTO "migratehistory" VALUES(6,'006_migrate_timestamps_and_charfields','2026-11-30 12:49:24.189538');
INSERT INTO "migratehistory" VALUES(7,'007_add_user_last_active_at','2026-11-30 12:49:24.317278');
INSERT INTO "migratehistory" VALUES(8,'008_add_memory','2026-11-30 12:49:24.410118');
INSERT INTO "migratehistory" VALUES(9,'009_add_models','2026-11-30 12:49:24.470408');
INSERT INTO "migratehistory" VALUES(10,'010_migrate_modelfiles_to_models','2026-11-30 12:49:24.575458');
INSERT INTO "migratehistory" VALUES(11,'011_add_user_settings','2026-11-30 12:49:24.653693');
INSERT INTO "migratehistory" VALUES(12,'012_add_tools','2026-11-30 12:49:24.718233');
INSERT INTO "migratehistory" VALUES(13,'013_add_user_info','2026-11-30 12:49:24.760363');
INSERT INTO "migratehistory" VALUES(14,'014_add_files','2026-11-30 12:49:24.830780');
INSERT INTO "migratehistory" VALUES(15,'015_add_functions','2026-11-30 12:49:24.889847');
INSERT INTO "migratehistory" VALUES(16,'016_add_valves_and_is_active','2026-11-30 12:49:24.988827');
INSERT INTO "migratehistory" VALUES(17,'017_add_user_oauth_sub','2026-11-30 12:49:25.062834');
INSERT INTO "migratehistory" VALUES(18,'018_add_function_is_global','2026-11-30 12:49:25.127110');
CREATE TABLE "model" ("id" TEXT NOT NULL, "user_id" TEXT NOT NULL, "base_model_id" TEXT, "name" TEXT NOT NULL, "meta" TEXT NOT NULL, "params" TEXT NOT NULL, "created_at" INTEGER NOT NULL, "updated_at" INTEGER NOT NULL, access_control JSON, is_active BOOLEAN DEFAULT (1) NOT NULL);
CREATE TABLE note (
	id TEXT NOT NULL, 
	user_id TEXT, 
	title TEXT, 
	data JSON, 
	meta JSON, 
	access_control JSON, 
	created_at BIGINT, 
	updated_at BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (id)
);
INSERT INTO "note" VALUES('7e8a51e6-9266-4ce4-be32-a874f54101d4','2fa8b23b-78ff-4ea2-8c02-bb4b3142691d','note of Undine','{"content": {"md": "pearl"}}','null','{}',1796043022280445122,1796043022280448547);
INSERT INTO "note" VALUES('02cee354-771b-4a91-ad09-daa3a6cfdf5c','ebc6a63c-a436-4d3a-bc0d-89c1a102132a','note of Nereus','{"content": {"md": "pearl"}}','null','{}',1796043023767635981,1796043023767636531);
CREATE TABLE oauth_session (
	id TEXT NOT NULL, 
	user_id TEXT NOT NULL, 
	provider TEXT NOT NULL, 
	token TEXT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(user_id) REFERENCES user (id) ON DELETE CASCADE
);
CREATE TABLE "prompt" ("id" INTEGER NOT NULL PRIMARY KEY, "command" VARCHAR(255) NOT NULL, "user_id" VARCHAR(255) NOT NULL, "title" TEXT NOT NULL NOT NULL, "content" TEXT NOT NULL, "timestamp" INTEGER NOT NULL NOT NULL, access_control JSON);
INSERT INTO "prompt" VALUES(1,'/ask-undine','2fa8b23b-78ff-4ea2-8c02-bb4b3142691d','/ask-undine','pearl?',1796043022,'{}');
INSERT INTO "prompt" VALUES(2,'/ask-nereus','ebc6a63c-a436-4d3a-bc0d-89c1a102132a','/ask-nereus','pearl?',1796043023,'{}');
CREATE TABLE "tag" (
	id VARCHAR(255) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	user_id VARCHAR(255) NOT NULL, 
	meta JSON, 
	CONSTRAINT pk_id_user_id PRIMARY KEY (id, user_id)
);
INSERT INTO "tag" VALUES('tag-undine','tag-Undine','2fa8b23b-78ff-4ea2-8c02-bb4b3142691d','null');
INSERT INTO "tag" VALUES('tag-nereus','tag-Nereus','ebc6a63c-a436-4d3a-bc0d-89c1a102132a','null');
CREATE TABLE "tool" ("id" TEXT NOT NULL, "user_id" TEXT NOT NULL, "name" TEXT NOT NULL, "content" TEXT NOT NULL, "specs" TEXT NOT NULL, "meta" TEXT NOT NULL, "created_at" INTEGER NOT NULL, "updated_at" INTEGER NOT NULL, "valves" TEXT, access_control JSON);
CREATE TABLE "user" ("id" VARCHAR(255) NOT NULL, "name" VARCHAR(255) NOT NULL, "email" VARCHAR(255) NOT NULL, "role" VARCHAR(255) NOT NULL, "profile_image_url" TEXT NOT NULL NOT NULL, "api_key" VARCHAR(255), "created_at" INTEGER NOT NULL NOT NULL, "updated_at" INTEGER NOT NULL NOT NULL, "last_active_at" INTEGER NOT NULL NOT NULL, "settings" TEXT, "info" TEXT, "oauth_sub" TEXT, username VARCHAR(50), bio TEXT, gender TEXT, date_of_birth DATE);
INSERT INTO "user" VALUES('2fa8b23b-78ff-4ea2-8c02-bb4b3142691d','Undine','undine@example.com','admin','/user.png',NULL,1796043019,1796043019,1796043024,'null','null',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "user" VALUES('ebc6a63c-a436-4d3a-bc0d-89c1a102132a','Nereus','nereus@example.com','user','/user.png',NULL,1796043021,1796043021,1796043024,'null','null',NULL,NULL,NULL,NULL,NULL);
CREATE UNIQUE INDEX "chatidtag_id" ON "chatidtag" ("id");
CREATE UNIQUE INDEX "auth_id" ON "auth" ("id");
CREATE UNIQUE INDEX "chat_id" ON "chat" ("id");
CREATE UNIQUE INDEX "chat_share_id" ON "chat" ("share_id");
CREATE UNIQUE INDEX "document_collection_name" ON "document" ("collection_name");
CREATE UNIQUE INDEX "document_name" ON "document" ("name");
CREATE UNIQUE INDEX "prompt_command" ON "prompt" ("command");
CREATE UNIQUE INDEX "user_api_key" ON "user" ("api_key");
CREATE UNIQUE INDEX "user_id" ON "user" ("id");
CREATE UNIQUE INDEX "memory_id" ON "memory" ("id");
CREATE UNIQUE INDEX "model_id" ON "model" ("id");
CREATE UNIQUE INDEX "tool_id" ON "tool" ("id");
CREATE UNIQUE INDEX "user_oauth_sub" ON "user" ("oauth_sub");
CREATE UNIQUE INDEX "function_id" ON "function" ("id");
CREATE UNIQUE INDEX file_id ON file (id);
CREATE INDEX folder_id_idx ON chat (folder_id);
CREATE INDEX user_id_pinned_idx ON chat (user_id, pinned);
CREATE INDEX user_id_archived_idx ON chat (user_id, archived);
CREATE INDEX updated_at_user_id_idx ON chat (updated_at, user_id);
CREATE INDEX folder_id_user_id_idx ON chat (folder_id, user_id);
CREATE INDEX user_id_idx ON tag (user_id);
CREATE INDEX is_global_idx ON function (is_global);
CREATE INDEX idx_oauth_session_user_id ON oauth_session (user_id);
CREATE INDEX idx_oauth_session_expires_at ON oauth_session (expires_at);
CREATE INDEX idx_oauth_session_user_provider ON oauth_session (user_id, provider);
COMMIT;
