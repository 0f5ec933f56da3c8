-- The database as the product wants it: UTF8 with locale C.UTF-8, which initdb was told.
CREATE DATABASE warrior_api
