-- template0 holds nothing but what initdb made, with the cluster's own encoding and locale. roles.sql
-- hands the database over to its owner.
create database warrior_api template template0
